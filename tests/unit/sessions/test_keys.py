"""Which messages belong to one conversation."""

from hermes_agent.domain.chats import Origin
from hermes_agent.sessions.keys import session_key


def test_a_private_chat_is_one_conversation_whoever_writes():
    origin = Origin(platform="telegram", chat_id="7", user_id="7")
    assert session_key(origin, per_user=True) == "agent:main:telegram:dm:7"


def test_a_thread_is_a_conversation_of_its_own():
    origin = Origin(platform="telegram", chat_id="7", user_id="7", thread_id="3")
    assert session_key(origin, per_user=True) == "agent:main:telegram:dm:7:3"


def test_in_a_group_everybody_has_a_conversation_unless_it_is_shared():
    origin = Origin(platform="discord", chat_type="group", chat_id="9", user_id="5", thread_id="2")
    assert session_key(origin, per_user=True) == "agent:main:discord:group:9:2:5"
    assert session_key(origin, per_user=False) == "agent:main:discord:group:9:2"
