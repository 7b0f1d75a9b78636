-- Which inbound message a message stands for: it is stored once, however often its turn is begun.
ALTER TABLE message_details ADD COLUMN turn TEXT;

CREATE UNIQUE INDEX idx_message_details_turn ON message_details (turn) WHERE turn IS NOT NULL;
