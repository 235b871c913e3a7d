# frozen_string_literal: true

# Exits with 0 if this Ruby already has all gems of the Gemfile, so that nothing need be installed.

require 'bundler'

ENV['BUNDLE_GEMFILE'] = ARGV[0]
definition = Bundler::Dsl.evaluate(ARGV[0], nil, {})
found = definition.dependencies.all? { |gem| Gem::Specification.find_all_by_name(gem.name, gem.requirement).any? }
exit(found)
