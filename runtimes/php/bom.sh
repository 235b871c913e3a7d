#!/bin/sh
# Lists the packages in KUBELESS_INSTALL_VOLUME/vendor, for an installer's bill of materials.
exec php "$(dirname "$0")/bom.php"
