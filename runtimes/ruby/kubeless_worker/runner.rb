# frozen_string_literal: true

# A thread that runs calls, and how it waits for them.

module KubelessWorker
  # A thread that runs calls.
  class Runner < Thread
    attr_accessor :call # id of the call that it runs, or 0
    attr_reader :gate, :task # the thread's folder in /proc, or nil
    attr_writer :ended

    def initialize
      @call = 0
      @gate = Gate.new
      @ended = false
      super do
        @task = Runner.task
        yield self
      end
    end

    def self.task
      File.join('/proc', File.readlink('/proc/thread-self'))
    rescue SystemCallError
      nil
    end

    def ended?
      @ended
    end

    # Removes what a call has left in its thread. The next call may be of another caller.
    def clear_locals
      names = keys
      names.each { |name| self[name] = nil } unless names.empty?
      names = thread_variables
      names.each { |name| thread_variable_set(name, nil) } unless names.empty?
      return unless Fiber.respond_to?(:[]) # Ruby 3.2 and later

      storage = Fiber.current.storage
      storage.each_key { |name| Fiber[name] = nil } if storage && !storage.empty?
    end
  end

  # Where a thread waits for work.
  class Gate
    def initialize
      @lock = Mutex.new
      @opened = ConditionVariable.new
      @open = false
    end

    def open
      @lock.synchronize do
        @open = true
        @opened.signal
      end
    end

    # Returns whether the gate was opened within the time.
    def wait(seconds)
      @lock.synchronize do
        @opened.wait(@lock, seconds) unless @open
        opened = @open
        @open = false
        opened
      end
    end
  end
end
