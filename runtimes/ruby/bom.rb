# frozen_string_literal: true

# Prints the gems that Bundler has installed into KUBELESS_INSTALL_VOLUME, one per line: an empty
# group, name, version, purl, licence and hash, separated by tabs. Hashes are of Gemfile.lock, if it
# has checksums (Bundler 2.6 and later).

require 'rubygems'

volume = ENV['KUBELESS_INSTALL_VOLUME']
lock = File.join(volume, 'Gemfile.lock')
checksums = File.exist?(lock) ? File.read(lock).scan(/^  (\S+) \(([^)]+)\) sha256=(\h+)/).to_h { |name, version, sum| [[name, version], sum] } : {}

place = File.join(volume, RUBY_ENGINE, RbConfig::CONFIG['ruby_version'])
files = Dir.glob(File.join(place, 'specifications', '*.gemspec')) + Dir.glob(File.join(place, 'bundler', 'gems', '*', '*.gemspec'))
files.each do |file|
  specification = Dir.chdir(File.dirname(file)) { Gem::Specification.load(file) }
  next unless specification

  version = specification.version.to_s
  platform = specification.platform.to_s
  full = platform == 'ruby' ? version : "#{version}-#{platform}"
  purl = "pkg:gem/#{specification.name}@#{version}#{"?platform=#{platform}" unless platform == 'ruby'}"
  sum = checksums[[specification.name, full]]
  puts ['', specification.name, version, purl, specification.licenses.join(' OR '), sum && "SHA-256:#{sum}"].join("\t")
end
