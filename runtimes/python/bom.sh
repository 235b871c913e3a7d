#!/bin/sh
# Lists the packages below KUBELESS_INSTALL_VOLUME/lib, for the bill of materials.
exec python3 -B "$(dirname "$0")/bom.py"
