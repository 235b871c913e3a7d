# frozen_string_literal: true

# Exits with 0 where this Ruby has all that the Gemfile lists: what is there need not be fetched.

require 'bundler'

ENV['BUNDLE_GEMFILE'] = ARGV[0]
definition = Bundler::Dsl.evaluate(ARGV[0], nil, {})
there = definition.dependencies.all? { |gem| Gem::Specification.find_all_by_name(gem.name, gem.requirement).any? }
exit(there)
