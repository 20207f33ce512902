CREATE TABLE lists (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE todos (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  list_id int NOT NULL REFERENCES lists ON DELETE CASCADE,
  title text NOT NULL CHECK (title <> ''),
  done boolean NOT NULL DEFAULT false
);
INSERT INTO lists (name) VALUES ('home'), ('work');
INSERT INTO todos (list_id, title) VALUES (1, 'water the plants'), (1, 'call mother'), (2, 'write the tests');
