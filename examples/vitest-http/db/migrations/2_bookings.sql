CREATE EXTENSION btree_gist;

CREATE TABLE bookings (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  room_id int NOT NULL REFERENCES rooms ON DELETE CASCADE,
  guest text NOT NULL CHECK (guest <> ''),
  stay daterange NOT NULL CHECK (NOT isempty(stay)),
  EXCLUDE USING gist (room_id WITH =, stay WITH &&)
);

CREATE FUNCTION announce_booking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('bookings', NEW.guest);
  RETURN NEW;
END
$$;

CREATE TRIGGER announce AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION announce_booking();
