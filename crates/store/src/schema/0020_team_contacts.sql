-- Whether a team's contact is verified, by the address that was asked and the one that was verified: an older binary
-- that changes the contact changes neither, and so makes it an address that nobody verified.

ALTER TABLE teams ADD COLUMN listed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE teams ADD COLUMN asked_contact TEXT;
ALTER TABLE teams ADD COLUMN asked_at BIGINT;
ALTER TABLE teams ADD COLUMN verified_contact TEXT;
ALTER TABLE teams ADD COLUMN verified_at BIGINT;
