CREATE TABLE stock (item text PRIMARY KEY, amount int NOT NULL CHECK (amount >= 0));
INSERT INTO stock VALUES ('bolt', 100), ('nut', 250);
