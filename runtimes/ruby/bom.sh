#!/bin/sh
# Lists the gems below KUBELESS_INSTALL_VOLUME, for an installer's bill of materials.
exec ruby "$(dirname "$0")/bom.rb"
