<?php

namespace Kubeless\Worker;

/** The C library's words for descriptors and processes, for which PHP has none of its own. */
final class Libc
{
    public const EINTR = 4;
    public const SIGKILL = 9;
    public const F_SETFD = 2;
    public const F_GETFL = 3;
    public const F_SETFL = 4;
    public const FD_CLOEXEC = 1;
    public const MSG_PEEK = 2;
    public const O_RDWR = 2;
    public const POLLRDHUP = 0x2000;
    public const PR_SET_PDEATHSIG = 1;

    private const FUNCTIONS = '
        ssize_t recv(int fd, char *to, size_t size, int flags);
        ssize_t send(int fd, const char *from, size_t size, int flags);
        int fcntl(int fd, int command, ...);
        int open(const char *path, int flags, ...);
        int dup2(int from, int to);
        int close(int fd);
        int execve(const char *path, char *const args[], char *const env[]);
        unsigned int alarm(unsigned int seconds);
        void _exit(int code);
        int getppid(void);
        int kill(int pid, int signal);
        long syscall(long number, ...);
        struct pollfd { int fd; short events; short revents; };
        int poll(struct pollfd *fds, unsigned long count, int ms);
    ';

    /** Once for the process: FFI parses the text above. */
    public static function open(): \FFI
    {
        $errno = self::isLinux() ? 'int *__errno_location(void); int prctl(int option, ...);' : 'int *__error(void);';
        return \FFI::cdef(self::FUNCTIONS . $errno);
    }

    public static function isLinux(): bool
    {
        return PHP_OS_FAMILY === 'Linux';
    }

    public static function errno(\FFI $libc): int
    {
        return self::isLinux() ? $libc->__errno_location()[0] : $libc->__error()[0];
    }

    /** what C holds pointers into: the callback for forks */
    private static array $kept;

    /** Has `$inChild` called in every process that this one forks, before anything else there. */
    public static function afterFork(callable $inChild): void
    {
        try {
            // The GNU library has only this one where it can be found by name; the others have only the other.
            $libc = \FFI::cdef('int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);');
            $libc->__register_atfork(null, null, $inChild, null);
        } catch (\FFI\Exception $missing) {
            $libc = \FFI::cdef('int pthread_atfork(void (*)(void), void (*)(void), void (*)(void));');
            $libc->pthread_atfork(null, null, $inChild);
        }
        self::$kept = [$libc, $inChild];
    }

    /**
     * @param string[] $words
     * @return \FFI\CData a `char *[]` that ends in a null, which lives as long as the process
     */
    public static function words(\FFI $libc, array $words): \FFI\CData
    {
        $list = $libc->new('char *[' . (count($words) + 1) . ']', false);
        foreach (array_values($words) as $at => $word) {
            $size = strlen($word) + 1;
            $copy = $libc->new("char[$size]", false);
            \FFI::memcpy($copy, $word . "\0", $size);
            $list[$at] = $libc->cast('char *', $copy);
        }
        return $list;
    }
}
