#!/bin/sh
# End with 0 when nginx answers /health. The image's distribution decides which of these it has.
set -eu
address=127.0.0.1 port=${HTTP_PORT:-8080}
if command -v wget >/dev/null; then
  exec wget -q -T 4 -O /dev/null "http://$address:$port/health"
fi
exec perl -MIO::Socket::INET -e '
  my $s = IO::Socket::INET->new(PeerAddr => "'"$address:$port"'", Timeout => 4) or die "no answer\n";
  print $s "GET /health HTTP/1.0\r\n\r\n";
  exit(<$s> =~ / 200 / ? 0 : 1);'
