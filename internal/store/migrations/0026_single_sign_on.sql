-- Who an account is to an identity provider. Nothing else ties the two: no
-- name and no mail address.
CREATE TABLE external_identity (
  issuer  TEXT NOT NULL,
  subject TEXT NOT NULL,
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  created INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX external_identity_account ON external_identity (account);
