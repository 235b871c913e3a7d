#!/bin/sh
# Prints what decides, beside the Gemfile and its lock, what is installed: an installer keeps results by it. "@folder" stands for
# everything in the function's folder.
set -eu

ruby -r bundler -e 'puts RUBY_DESCRIPTION, Bundler::VERSION'
env | grep -E '^(BUNDLE|GEM)' | LC_ALL=C sort || :
! grep -Eq "path|gemspec|eval|require|load|File|Dir|file:" "$KUBELESS_DEPS_FILE" || echo @folder
