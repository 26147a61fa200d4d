#!/bin/sh
# Take out of a virtual environment what running it never reads: `slim.sh FOLDER`.
set -eu
cd "$1"/lib/python3*/site-packages

# A wheel that brings libraries (NAME.libs) had its extensions patched to find them: strip would break those.
for package in *; do
  case $package in *.libs) continue ;; esac
  [ -e "$package.libs" ] || find "$package" -name '*.so' -exec strip --strip-unneeded {} +
done
find . -type f '(' -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.cpp' -o -name '*.h' \
  -o -name '*.hpp' -o -name '*.proto' ')' -delete
find . -type d -name tests -prune -exec rm -r {} +
rm -rf sqlalchemy/testing chromadb/test
# The second Kubernetes client, for asyncio, which neither we nor Chroma use.
rm -rf kubernetes/aio
# Only PostgreSQL is spoken to; Alembic alone loads every dialect whatever it speaks to.
[ -d alembic ] || rm -rf sqlalchemy/dialects/mssql sqlalchemy/dialects/mysql sqlalchemy/dialects/oracle sqlalchemy/dialects/sqlite
