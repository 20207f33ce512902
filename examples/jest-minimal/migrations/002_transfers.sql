CREATE TABLE transfers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payer bigint NOT NULL REFERENCES accounts,
  payee bigint NOT NULL REFERENCES accounts,
  amount numeric(12, 2) NOT NULL CHECK (amount > 0),
  made_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION transfer(payer_id bigint, payee_id bigint, sum numeric) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  transfer_id bigint;
BEGIN
  UPDATE accounts SET balance = balance - sum WHERE id = payer_id;
  UPDATE accounts SET balance = balance + sum WHERE id = payee_id;
  INSERT INTO transfers (payer, payee, amount) VALUES (payer_id, payee_id, sum) RETURNING id INTO transfer_id;
  RETURN transfer_id;
END
$$;
