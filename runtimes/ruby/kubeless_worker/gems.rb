# frozen_string_literal: true

# Makes the gems that install.sh has installed loadable: the function's, and the worker's own.

module KubelessWorker
  module Gems
    FOLDER = File.join(defined?(Gem.ruby_engine) ? Gem.ruby_engine : RUBY_ENGINE, RbConfig::CONFIG['ruby_version'])
    WAIT_S = 0.05

    module_function

    # Puts the function's gems before those of Ruby. Writes the load path itself: that takes a
    # millisecond, Bundler.setup a tenth of a second.
    def add(folder)
      volume = ENV['KUBELESS_INSTALL_VOLUME'].to_s
      return if volume.empty?

      configure_bundler(volume, folder)
      place = File.join(volume, FOLDER)
      return unless Dir.exist?(place)

      # Ruby processes that the function starts find the same gems.
      ENV['GEM_PATH'] = [place, *Gem.path].uniq.join(File::PATH_SEPARATOR)
      Gem.paths = ENV.to_h
      return setup_bundler if needs_bundler?

      specifications(place).each { |specification| activate(specification) }
    end

    # Puts the worker's own gems last: a function's rack has precedence.
    def add_libraries
      return if @added

      libraries = ENV['RUNTIME_LIBRARIES'].to_s
      # A local start does not wait until they are installed: the path exists when they are
      # complete.
      sleep(WAIT_S) until libraries.empty? || File.exist?(libraries) || Dir.glob("#{libraries}.*").empty?
      specifications(File.join(libraries, FOLDER)).each do |specification|
        next if Gem.loaded_specs.key?(specification.name)

        $LOAD_PATH.concat(specification.full_require_paths - $LOAD_PATH)
      end
      @added = true
    end

    def activate(specification)
      return if Gem.loaded_specs.key?(specification.name)

      specification.activated = true
      Gem.loaded_specs[specification.name] = specification
      $LOAD_PATH.unshift(*specification.full_require_paths)
    end

    # Returns the newest version of each gem.
    def specifications(place)
      found = Dir.glob(File.join(place, 'specifications', '*.gemspec')).map { |file| Gem::Specification.load(file) }
      found.compact.group_by(&:name).values.map { |versions| versions.max_by(&:version) }
    end

    # For functions that call `Bundler.require` or `require 'bundler/setup'`.
    def configure_bundler(volume, folder)
      gemfile = [volume, folder].map { |place| File.join(place, 'Gemfile') }.find { |file| File.exist?(file) }
      return unless gemfile

      ENV['BUNDLE_GEMFILE'] ||= gemfile
      ENV['BUNDLE_PATH'] ||= volume
      ENV['BUNDLE_FROZEN'] ||= 'true' if File.exist?("#{gemfile}.lock") # the folder may be read-only
    end

    # Returns whether the lock has gems from a git repository or a folder: Bundler installs them
    # elsewhere.
    def needs_bundler?
      lock = "#{ENV['BUNDLE_GEMFILE']}.lock"
      File.exist?(lock) && File.read(lock).match?(/^(GIT|PATH)$/)
    end

    def setup_bundler
      require 'bundler'
      Bundler.setup
    end
  end
end
