#!/bin/sh
# Makes or updates the two databases of a Temporal server on PostgreSQL. Where
# they are, SQL_HOST, SQL_PORT, SQL_USER, SQL_PASSWORD and SQL_PLUGIN say.
set -eu

for store in temporal visibility; do
	database=temporal
	[ "$store" = temporal ] || database=temporal_visibility
	temporal-sql-tool --db "$database" create-database
	temporal-sql-tool --db "$database" setup-schema --version 0.0
	temporal-sql-tool --db "$database" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$store/versioned"
done
