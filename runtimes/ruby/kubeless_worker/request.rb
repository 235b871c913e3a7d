# frozen_string_literal: true

# A call's frame as the event a handler sees.

require 'json'

module KubelessWorker
  module Request
    MARK = "\xEF\xBB\xBF" # a byte order mark
    OPTIONS = { max_nesting: Results::NESTING }.freeze

    module_function

    def event_of(call)
      extensions = Extensions.new(call)
      body = call.body
      body.force_encoding(Encoding::UTF_8)
      body.force_encoding(Encoding::BINARY) unless body.valid_encoding?
      data = call.json && !body.empty? ? parse(body) : body
      if call.plain
        return { data: data, 'event-id': nil, 'event-type': nil, 'event-time': nil, 'event-namespace': nil, extensions: extensions }
      end

      fields = call.fields
      attributes = fields['extensions']
      attributes.each_pair { |name, value| extensions[name.to_sym] = value unless name == 'request' } if attributes
      {
        data: data,
        'event-id': fields['event-id'],
        'event-type': fields['event-type'],
        'event-time': fields['event-time'],
        'event-namespace': fields['event-namespace'],
        extensions: extensions
      }
    end

    def parse(body)
      raise BodyMalformed, 'the body is not JSON: it is not UTF-8' if body.encoding == Encoding::BINARY

      JSON.parse(body.delete_prefix(MARK), OPTIONS)
    rescue JSON::ParserError, EncodingError => error
      raise BodyMalformed, "the body is not JSON: #{Errors.utf8(error.message)[0, 200]}"
    end

    # A Rack request, which is what functions have known since Kubeless: its server was Sinatra.
    def request_of(call)
      Gems.offer_libraries
      require 'rack'
      ::Rack::Request.new(environ_of(call.fields, call.head, call.body))
    rescue LoadError => error
      raise "event[:extensions][:request] is a Rack request, and rack cannot be loaded (#{error.message}): add rack to the Gemfile"
    end

    # The environment of a call by Rack's specification.
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
      add_headers(environ, head)
      environ['CONTENT_LENGTH'] = body.bytesize.to_s
      add_server(environ)
      environ
    end

    def add_headers(environ, head)
      head.split("\r\n").each do |line|
        name, colon, value = line.partition(':')
        next if colon.empty? || name.include?('_') # X_A would pass for X-A

        name = name.upcase.tr('-', '_')
        name = "HTTP_#{name}" unless name == 'CONTENT_TYPE' || name == 'CONTENT_LENGTH'
        value = value.strip.force_encoding(Encoding::UTF_8)
        value.force_encoding(Encoding::BINARY) unless value.valid_encoding?
        before = environ[name]
        environ[name] = before ? "#{before}#{name == 'HTTP_COOKIE' ? '; ' : ', '}#{value}" : value
      end
      environ.delete('HTTP_TRANSFER_ENCODING') # the loader has undone it
    end

    def add_server(environ)
      host = environ['HTTP_HOST']
      name, port = host && host.match(/\A(.+?)(?::(\d+))?\z/)&.captures
      return unless name

      environ['SERVER_NAME'] = name
      environ['SERVER_PORT'] = port if port
    end
  end

  # event[:extensions]: the request in it is made when somebody asks for it.
  class Extensions < Hash
    def initialize(call)
      super()
      @call = call
    end

    def default(key = nil)
      self[:request] = Request.request_of(@call) if key == :request
    end

    def key?(key)
      key == :request || super
    end
    alias has_key? key?
    alias include? key?
    alias member? key?

    def fetch(key, *)
      self[key] if key == :request
      super
    end

    # Whoever looks at all of it sees the request as well; a Hash's own methods do not come by `default`.
    %i[
      == each each_pair each_key each_value keys values values_at fetch_values to_a to_h to_hash to_proc length size count empty? any?
      map select filter reject find merge merge! update slice transform_values transform_keys inspect to_s dup clone delete deconstruct_keys
    ].each do |name|
      next unless Hash.method_defined?(name) || name == :deconstruct_keys

      define_method(name) do |*args, &block|
        self[:request]
        super(*args, &block)
      end
    end

    # `in {request:}`
    def deconstruct_keys(_keys)
      self[:request]
      self
    end
  end
end
