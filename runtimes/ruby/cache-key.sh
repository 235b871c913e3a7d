#!/bin/sh
# Prints the inputs of an installation besides Gemfile and Gemfile.lock: an installer caches results
# by them. "@folder" stands for all files in the function's folder.
set -eu

ruby -r bundler -e 'puts RUBY_DESCRIPTION, Bundler::VERSION'
env | grep -E '^(BUNDLE|GEM)' | LC_ALL=C sort || :
! grep -Eq "path|gemspec|eval|require|load|File|Dir|file:" "$KUBELESS_DEPS_FILE" || echo @folder
