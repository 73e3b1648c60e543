#!/bin/sh
# Makes the role and the database of rentbook, when the PostgreSQL image makes a new cluster: it runs
# what it finds in /docker-entrypoint-initdb.d. The role owns its database and nothing else; the
# administrator's role stays with the administrator.
#
# DATABASE_PASSWORD is the password of the new role.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
	--set "password=${DATABASE_PASSWORD:?is the password of role rentbook}" <<'SQL'
CREATE ROLE rentbook LOGIN PASSWORD :'password';
CREATE DATABASE rentbook OWNER rentbook ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE rentbook FROM PUBLIC;
SQL
