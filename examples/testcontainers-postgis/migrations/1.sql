CREATE EXTENSION postgis;
CREATE TABLE cities (name text PRIMARY KEY, at geography(point) NOT NULL);
INSERT INTO cities VALUES
  ('Graz', 'POINT(15.44 47.07)'), ('Linz', 'POINT(14.29 48.31)'), ('Vienna', 'POINT(16.37 48.21)');
