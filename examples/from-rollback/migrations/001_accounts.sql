CREATE TABLE accounts (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner text NOT NULL UNIQUE,
  balance int NOT NULL DEFAULT 0 CHECK (balance >= 0)
);
INSERT INTO accounts (owner, balance) VALUES ('Ada', 100), ('Grace', 50);
