#!/bin/sh
# Copy programs with every library that they load, the loader itself too, so that they run on another distribution:
# `programs.sh FOLDER PROGRAM...`. FOLDER/bin gets a starter of each, which may be linked to from anywhere.
set -eu
folder=$1
shift
mkdir -p "$folder/bin" "$folder/lib" "$folder/libexec"

for program in "$@"; do
  found=$(readlink -f "$(command -v "$program")")
  cp "$found" "$folder/libexec/$program"
  ldd "$found" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | sort -u | while read -r library; do
    case $library in
      */ld-*) cp -L "$library" "$folder/lib/loader" ;;
      *) cp -L "$library" "$folder/lib/" ;;
    esac
  done
  cat >"$folder/bin/$program" <<END
#!/bin/sh
exec $folder/lib/loader --library-path $folder/lib $folder/libexec/$program "\$@"
END
  chmod 0755 "$folder/bin/$program"
  "$folder/bin/$program" --version
done
