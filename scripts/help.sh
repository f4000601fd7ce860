#!/bin/sh
# make help
cat <<'EOT'
make run              bring the example mesh up on the embedded sandbox, open the live view
make test             every test; closes with "N passed, N failed, N skipped"
make check            lint: floors, headers, sizes, format, banned functions
make verify           bring up, prove that the mesh works, remove the samples, keep the mesh
make doctor           can this machine do it; what to do where it cannot
make install-deps     what doctor would install (it asks before)
make setup-dev        bring the mesh up without samples
make create-cluster   the cluster only          make install-crossplane  and Crossplane
make install-platform and the mesh packages     make uninstall-platform  take them off
make install-samples  add the example corner-shop, make uninstall-samples  take it off
make test-platform    make a domain, see it Ready, delete it
make show-status      what runs, and how it is
make debug            a support bundle without secrets
make cleanup          remove everything that was brought up, audit what is left
make diff             random templates and patches, against the real functions
make test-kind        the tests on a real Kind cluster (docs/TESTING.md)
make bench            figures against the budgets, OK or MISS
make asan             the tests under address and undefined-behaviour sanitizers
make fuzz SECS=300    the fuzz targets, so many seconds in all
make build            the program ./meshtop        make quick   build and check
make install          the program into $(DESTDIR)$(PREFIX)/bin
make clean            remove what the build made
ENGINE=auto|sandbox|kind|context chooses where the mesh runs, PROFILE=name which environment,
UP="..." adds words of up.
EOT
