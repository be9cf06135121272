-- Read once by the postgres image: the catalog's database is POSTGRES_DB, this is Prefect's.
create database prefect;
\connect prefect
create extension pg_trgm;
