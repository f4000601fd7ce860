#!/bin/sh
# make help
cat <<'EOT'
make run              bring the example mesh up on the embedded sandbox, open the live view
make test             every test; closes with "N passed, N failed, N skipped"
make check            lint: floors, headers, sizes, format, banned functions
make verify           bring up, prove that the mesh works, remove the samples, keep the mesh
make setup-dev        bring the mesh up without samples
make install-samples  add the example mesh corner-shop
make show-status      what runs, and how it is
make cleanup          remove everything that was brought up, audit what is left
make bench            figures against the budgets, OK or MISS
make asan             the tests under address and undefined-behaviour sanitizers
make fuzz SECS=300    the fuzz targets, so many seconds in all
make build            the program ./meshtop        make quick   build and check
make install          the program into $(DESTDIR)$(PREFIX)/bin
make clean            remove what the build made
ENGINE=sandbox|kind|context chooses where the mesh runs.
EOT
