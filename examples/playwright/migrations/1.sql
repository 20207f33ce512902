CREATE TABLE visits (path text PRIMARY KEY, count int NOT NULL);
INSERT INTO visits VALUES ('/', 41);
