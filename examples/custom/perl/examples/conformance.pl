# The handlers of docs/conformance.md.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use JSON::PP qw(encode_json);
use Time::HiRes qw(sleep time);

print "conformance loaded\n";
my $count = 0;

sub decoded { my $text = shift; utf8::decode($text); $text }

sub echoes { $_[0]{data} }
sub bytes { pack 'C*', 0 .. 255 }
sub big { '0123456789' x ($_[0]{data} / 10) }
sub counts { '' . ++$count }
sub stdin { local $/; <STDIN> }
sub nonsense { sub { } }
sub recurses { recurses(@_) . recurses(@_) }
sub exits { exit }
sub raises { die decoded($_[0]{data}), "\n" }
sub dies { kill 'KILL', $$ }
sub headers { [201, ['Content-Type' => 'text/plain', 'X-Name' => 'Ada', 'Set-Cookie' => 'a=1', 'Set-Cookie' => 'b=2'], 'made'] }

sub context {
	my %context = %{ $_[1] };
	return \%context;
}

sub types {
	my ($event) = @_;
	my %types = map { $_ => $event->{"event-$_"} } grep { exists $event->{"event-$_"} } qw(id type time namespace);
	$types{source} = $event->{extensions}{source} if exists $event->{extensions}{source};
	return { %types, data => decoded($event->{data}) };
}

sub request {
	my %request = %{ $_[0]{extensions}{request} };
	my ($query) = ($request{query} // '') =~ /(?:^|&)x=([^&]*)/;
	my ($header) = $request{headers} =~ /^x-name:[ \t]*(.*?)[ \t]*\r?$/im;
	if (defined $query) {
		$query =~ tr/+/ /;
		$query =~ s/%([0-9a-f]{2})/chr hex $1/gie;
		utf8::decode($query);
	}
	return { method => $request{method}, path => $request{path}, query => $query, header => $header };
}

sub sleeps {
	my $until = time + $_[0]{data} / 1000;
	while ((my $left = $until - time) > 0) { sleep $left }
	return 'slept';
}

sub prints {
	my $text = decoded($_[0]{data});
	print "$text\n";
	print STDERR "$text\n";
	return 'printed';
}

sub unicode {
	my $text = 'čšž ελ 日本 🎉';
	die "$text\n" if $_[0]{data} eq 'raise';
	print "$text\n";
	return $text;
}

sub spawns {
	if ($_[0]{data} eq 'fork') {
		my $pid = fork;
		return "$pid" if $pid;
		CORE::sleep 30;
		kill 'KILL', $$;
	}
	my $pid = fork;
	exec 'sleep', '30' unless $pid;
	return "$pid";
}

1;
