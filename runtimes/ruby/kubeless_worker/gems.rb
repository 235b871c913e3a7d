# frozen_string_literal: true

# Where a function's gems are found, and ours: what install.sh has put there with Bundler.

module KubelessWorker
  module Gems
    FOLDER = File.join(defined?(Gem.ruby_engine) ? Gem.ruby_engine : RUBY_ENGINE, RbConfig::CONFIG['ruby_version'])

    WAIT_SECONDS = 0.05

    module_function

    # The gems of a function come before those that Ruby has itself, in the version that Bundler has chosen. By the plain
    # load path, since that takes a millisecond, and to ask Bundler a tenth of a second.
    def offer(folder)
      volume = ENV['KUBELESS_INSTALL_VOLUME'].to_s
      return if volume.empty?

      tell_bundler(volume, folder)
      place = File.join(volume, FOLDER)
      return unless Dir.exist?(place)

      # Ruby processes that the function starts find the same; Kubeless named this place to all its Ruby images.
      ENV['GEM_PATH'] = [place, *Gem.path].uniq.join(File::PATH_SEPARATOR)
      Gem.paths = ENV.to_h
      return by_bundler if needs_bundler?

      specifications(place).each { |specification| activate(specification) }
    end

    # Ours come last: a function's own rack is the one that it is given.
    def offer_libraries
      return if @offered

      libraries = ENV['RUNTIME_LIBRARIES'].to_s
      # A local start does not wait until they are installed: the path exists when they are complete.
      sleep(WAIT_SECONDS) until libraries.empty? || File.exist?(libraries) || Dir.glob("#{libraries}.*").empty?
      @offered = true
      specifications(File.join(libraries, FOLDER)).each do |specification|
        next if Gem.loaded_specs.key?(specification.name)

        $LOAD_PATH.concat(specification.full_require_paths - $LOAD_PATH)
      end
    end

    def activate(specification)
      return if Gem.loaded_specs.key?(specification.name)

      specification.activated = true
      Gem.loaded_specs[specification.name] = specification
      $LOAD_PATH.unshift(*specification.full_require_paths)
    end

    # The newest of each name.
    def specifications(place)
      found = Dir.glob(File.join(place, 'specifications', '*.gemspec')).map { |file| Gem::Specification.load(file) }
      found.compact.group_by(&:name).values.map { |versions| versions.max_by(&:version) }
    end

    # For functions that say `Bundler.require` or `require 'bundler/setup'`.
    def tell_bundler(volume, folder)
      gemfile = [volume, folder].map { |place| File.join(place, 'Gemfile') }.find { |file| File.exist?(file) }
      return unless gemfile

      ENV['BUNDLE_GEMFILE'] ||= gemfile
      ENV['BUNDLE_PATH'] ||= volume
      ENV['BUNDLE_FROZEN'] ||= 'true' if File.exist?("#{gemfile}.lock") # /kubeless need not be writable
    end

    # Gems from a git repository or a folder are not among the others.
    def needs_bundler?
      lock = "#{ENV['BUNDLE_GEMFILE']}.lock"
      File.exist?(lock) && File.read(lock).match?(/^(GIT|PATH)$/)
    end

    def by_bundler
      require 'bundler'
      Bundler.setup
    end
  end
end
