DROP TABLE meta;
DROP TABLE keys;
DROP TABLE deliveries;
DROP TABLE inbox;
DROP TABLE payloads;
DROP TABLE history;
DROP TABLE instances;
