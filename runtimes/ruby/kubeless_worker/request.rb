# frozen_string_literal: true

# Makes event[:extensions][:request]: a Rack request, as Sinatra gave it to functions in Kubeless.

module KubelessWorker
  module Request
    module_function

    # Returns the request. Raises if rack cannot be loaded.
    def of(call)
      load_rack unless @rack_loaded
      RackRequest.new(environ_of(call.fields, call.head, call.body))
    end

    def load_rack
      Gems.add_libraries
      require 'rack'
      require_relative 'rack_request'
      @rack_loaded = true
    rescue ::LoadError => error
      raise "event[:extensions][:request] needs rack, which cannot be loaded (#{error.message}): add rack to the Gemfile"
    end

    # Returns the environment of a call by Rack's specification.
    def environ_of(fields, head, body)
      require 'stringio'
      input = StringIO.new(body.dup.force_encoding(Encoding::BINARY))
      input.set_encoding(Encoding::BINARY)
      environ = {
        'REQUEST_METHOD' => fields['method'],
        'SCRIPT_NAME' => '',
        'PATH_INFO' => fields['path'],
        'QUERY_STRING' => fields['query'] || '',
        'REQUEST_PATH' => fields['path'],
        'REQUEST_URI' => fields['query'] ? "#{fields['path']}?#{fields['query']}" : fields['path'],
        'SERVER_NAME' => 'localhost',
        'SERVER_PORT' => '80',
        'SERVER_PROTOCOL' => 'HTTP/1.1',
        'rack.version' => [1, 3],
        'rack.url_scheme' => 'http',
        'rack.input' => input,
        'rack.errors' => $stderr,
        'rack.multithread' => true,
        'rack.multiprocess' => false,
        'rack.run_once' => false,
        'rack.hijack?' => false
      }
      environ['REMOTE_ADDR'] = fields['address'] if fields['address']
      add_headers(environ, head)
      environ['CONTENT_LENGTH'] = body.bytesize.to_s
      add_server(environ)
      environ
    end

    def add_headers(environ, head)
      head.split("\r\n").each do |line|
        name, colon, value = line.partition(':')
        next if colon.empty? || name.include?('_') # X_A would have the same key as X-A

        name = name.upcase.tr('-', '_')
        name = "HTTP_#{name}" unless name == 'CONTENT_TYPE' || name == 'CONTENT_LENGTH'
        value = value.strip.force_encoding(Encoding::UTF_8)
        value.force_encoding(Encoding::BINARY) unless value.valid_encoding?
        before = environ[name]
        environ[name] = before ? "#{before}#{name == 'HTTP_COOKIE' ? '; ' : ', '}#{value}" : value
      end
      environ.delete('HTTP_TRANSFER_ENCODING') # the loader has decoded the body
    end

    def add_server(environ)
      host = environ['HTTP_HOST']
      name, port = host && host.match(/\A(.+?)(?::(\d+))?\z/)&.captures
      return unless name

      environ['SERVER_NAME'] = name
      environ['SERVER_PORT'] = port if port
    end
  end
end
