# frozen_string_literal: true

# Parses the worker with the grammars of versions of Ruby that are older than Debian has.
require 'parser'

FOLDER = File.expand_path('../../runtimes/ruby', __dir__)
FILES = Dir[File.join(FOLDER, '{*,kubeless_worker/*}.rb')].sort

%w[2.4 2.5 2.6].each do |version|
  begin
    require "parser/ruby#{version.delete('.')}"
  rescue LoadError
    next
  end
  puts version
  FILES.each do |file|
    Parser.const_get("Ruby#{version.delete('.')}").parse(File.read(file), file)
  rescue Parser::SyntaxError => e
    puts "#{file}:#{e.diagnostic.location.line}: #{e.message}"
  end
end
