INSERT INTO accounts (email, balance)
SELECT 'user' || n || '@example.com', 100 FROM generate_series(1, 1000) AS n;
