#!/bin/sh
# Makes deploy/secrets for compose.cluster.yaml: passwords by chance, and the master key. Run it once; it
# changes nothing that is there. The folder is for its owner alone, and neither git nor the build of the
# image sees it.
#
# Keep a copy of master.key elsewhere, and not with the backups of PostgreSQL: the two together open
# every sealed name.
set -eu
umask 077
folder=$(dirname "$0")/secrets
if [ -e "$folder" ]; then
	echo "secrets.sh: $folder is there already; nothing was changed" >&2
	exit 1
fi
mkdir "$folder"
cd "$folder"

# Hexadecimal digits stand in an address as they are.
password() { od -An -v -N24 -tx1 /dev/urandom | tr -d ' \n'; }

admin=$(password) ops=$(password) superuser=$(password) rentbook=$(password)

cat >eventstore.env <<EOF
EVENTSTORE_DEFAULT_ADMIN_PASSWORD=$admin
EVENTSTORE_DEFAULT_OPS_PASSWORD=$ops
EOF
cat >postgres.env <<EOF
POSTGRES_PASSWORD=$superuser
DATABASE_PASSWORD=$rentbook
EOF
cat >rentbook.env <<EOF
RENTBOOK_EVENTSTORE=esdb://admin:$admin@n1:2113,n2:2113,n3:2113?tls=true&tlsCaFile=/ca/ca.crt
RENTBOOK_DATABASE=postgres://rentbook:$rentbook@postgres:5432/rentbook?sslmode=disable
EOF

# 32 bytes, in base64. Rentbook runs as user 65532 in its container, and refuses a key that others can read.
head -c 32 /dev/urandom | base64 >master.key
chmod 400 master.key
if ! chown 65532:65532 master.key 2>/dev/null; then
	echo "secrets.sh: now, as root: chown 65532:65532 $folder/master.key" >&2
fi
