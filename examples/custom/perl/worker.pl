#!/usr/bin/perl
# A worker in Perl: speaks the wire and calls one function of a file. Numbers are rules of
# PROTOCOL.md.
use strict;
use warnings;
use Encode qw(decode encode FB_CROAK LEAVE_SRC);
use Fcntl qw(F_SETFD F_SETFL F_SETOWN FD_CLOEXEC O_ASYNC O_RDWR);
use JSON::PP ();
use Socket qw(MSG_DONTWAIT);

# Child processes must not hold the wire (1.2); `exit` in a function ends only its call (4.8).
our $wire;
BEGIN {
	no warnings 'once';
	*CORE::GLOBAL::fork = sub () { my $pid = CORE::fork; close $wire if defined $pid && !$pid; $pid };
	*CORE::GLOBAL::exit = sub (;$) { die "the function called exit\n" };
}

# ---------------------------------------------------------------- the wire
open $wire, '+<&=', 3 or die "file descriptor 3 must be the wire; start this worker with the loader: $!\n";
fcntl $wire, F_SETFD, FD_CLOEXEC;
fcntl $wire, F_SETOWN, $$ + 0;
fcntl $wire, F_SETFL, O_RDWR | O_ASYNC;
$SIG{IO} = 'IGNORE';
$_->autoflush for *STDOUT, *STDERR;

my $json = JSON::PP->new->utf8->allow_nonref;
my $read = '';

# Returns the next COUNT bytes; without COUNT, the bytes up to and including a line break.
sub take {
	my ($count) = @_;
	until (defined $count && length $read >= $count) {
		my $break = defined $count ? -1 : index $read, "\n";
		if ($break >= 0) { $count = $break + 1; next }
		my $got = sysread $wire, $read, 65536, length $read;
		CORE::exit 1 if defined $got ? $got == 0 : !$!{EINTR};
	}
	return substr $read, 0, $count, '';
}

# SIGIO reports readable data while a function runs, so the end of the wire ends the worker then too
# (1.3).
sub attend {
	while (defined recv($wire, my $more, 65536, MSG_DONTWAIT)) {
		CORE::exit 1 if $more eq '';
		$read .= $more;
	}
}

sub frame {
	my $line = eval { $json->decode(take()) };
	my @lengths = ref $line eq 'HASH' ? map { $line->{$_} // 0 } qw(head body) : 'none';
	CORE::exit 2 if grep { ref || !/^\d{1,10}$/ } @lengths;    # 2.7
	return ($line, map { take($_) } @lengths);
}

# ---------------------------------------------------------------- sending
sub answer {
	my ($type, $line, $head, $body) = (@_, '', '');
	my $text = $json->encode({ type => $type, %$line, head => length $head, body => length $body });
	my $bytes = "$text\n$head$body";
	for (my $at = 0; $at < length $bytes;) {
		$at += syswrite($wire, $bytes, length($bytes) - $at, $at) // ($!{EINTR} ? 0 : CORE::exit 1);
	}
}

# Returns the text, cut so that the line does not become too long (2.3).
sub text { my $text = "$_[0]"; utf8::decode($text); return substr $text, 0, 10_000 }

# ---------------------------------------------------------------- the function
my ($file, $name) = ($ENV{KUBELESS_HANDLER_FILE}, $ENV{FUNC_HANDLER} // '');

sub failed {
	my ($code, $message) = @_;
	answer('failed', { code => $code, message => text($message), handlers => [handlers()] });
	CORE::exit 1;
}

# Returns the functions of package main that are not defined in this file.
my %own;
sub handlers { no strict 'refs'; sort grep { defined &{"main::$_"} && !$own{$_} && /^[a-z]\w*$/ } keys %main:: }
$own{$_} = 1 for handlers();

defined do $file or !($@ || $!) or failed('HANDLER_FAILED_TO_LOAD', $@ || "$file: $!");
my @handlers = handlers();
$name = $handlers[0] if $name eq '' && @handlers == 1;
grep { $_ eq $name } @handlers or failed('HANDLER_NOT_FOUND', "there is no function \"$name\" in $file");
my $handler = main->can($name);
my %context = ('function-name' => $name, timeout => $ENV{FUNC_TIMEOUT}, runtime => $ENV{FUNC_RUNTIME}, 'memory-limit' => $ENV{FUNC_MEMORY_LIMIT});

# ---------------------------------------------------------------- a call
# Makes a result of what a function returned: text, bytes, a hash (JSON), or [status, [name, value,
# …], any of these].
sub result {
	my ($value) = @_;
	my ($status, $headers, $body) = ref $value eq 'ARRAY' ? @$value : (200, [], $value);
	my ($head, $typed) = ('', 0);
	die "the status is no number from 200 to 999\n" if !defined $status || ref $status || $status !~ /^[2-9]\d\d$/;
	die "the headers are no list of names and values\n" if ref $headers ne 'ARRAY' || @$headers % 2;
	for (my @rest = @$headers; my ($field, $content) = splice @rest, 0, 2;) {
		die "the header $field cannot be sent\n" if $field !~ /^[\w!#\$%&'*+.^`|~-]+$/a || $content =~ /[^\t\x20-\xff]|\x7f/;
		$head .= "$field: $content\r\n";
		$typed = 1 if lc $field eq 'content-type';
	}
	die "a " . ref($body) . " cannot be sent\n" if ref $body && ref $body ne 'HASH';
	my $type = ref $body ? 'application/json' : 'text/plain; charset=utf-8';
	$body = ref $body ? $json->encode($body) : $body // '';
	utf8::encode($body) if utf8::is_utf8($body);
	$head .= "Content-Type: $type\r\n" unless $typed;
	return ({ status => $status + 0 }, $head, $body);
}

sub call {
	my ($line, $head, $body) = @_;
	my $id = $line->{id};
	my $error = sub { answer('error', { id => $id, code => $_[0], message => text($_[1]) }) };
	if ($line->{json} && $body ne '' && !eval { $json->decode($body); decode('UTF-8', $body, FB_CROAK | LEAVE_SRC); 1 }) {
		return $error->('BODY_MALFORMED', "the body is not JSON: $@");
	}
	my %request = (headers => $head, map { $_ => $line->{$_} } qw(method path query address));
	my %event = (data => $body, extensions => { %{ $line->{extensions} // {} }, request => \%request });
	$event{$_} = $line->{$_} for grep { exists $line->{$_} } qw(event-id event-type event-time event-namespace);
	my $value;
	local $SIG{IO} = \&attend;
	attend();
	eval { $value = $handler->(\%event, {%context}); 1 } or return $error->('FUNCTION_THREW', $@);
	my @result = eval { result($value) } or return $error->('RESULT_INVALID', $@);
	answer('result', { id => $id, %{ shift @result } }, @result);
}

# ---------------------------------------------------------------- the loop
answer('ready', { wire => 1, handler => $name });
for (;;) {
	my ($line, $head, $body) = frame();
	my $type = $line->{type} // CORE::exit 2;
	call($line, $head, $body) if $type eq 'call';
	CORE::exit 0 if $type eq 'stop';
	# Calls run one at a time, so cancel, pause and resume always concern a call that has ended (6.1,
	# 5.1).
}
