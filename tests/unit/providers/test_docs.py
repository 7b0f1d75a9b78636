"""The documentation's table of vendors says what the data says."""

from pathlib import Path

from hermes_agent.providers.vendor import Vendor, vendors

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def row(vendor: Vendor) -> str:
    def listed(names: tuple[str, ...]) -> str:
        return ", ".join(f"`{name}`" for name in names) or "–"

    address = listed(vendor.base_url_env)
    cells = (f"`{vendor.id}`", vendor.label, listed(vendor.aliases), listed(vendor.keys), address)
    return f"| {' | '.join(cells)} |"


def test_the_documented_vendors_are_those_of_the_table():
    text = PAGE.read_text("utf-8")
    documented = [line for line in text.splitlines() if line.startswith("| `")]
    assert documented == [row(vendor) for vendor in vendors()]
