#!/bin/sh
# Lists the packages in KUBELESS_INSTALL_VOLUME/node_modules for an installer's bill of materials.
exec node "$(dirname "$0")/bom.js"
