#!/usr/bin/env perl
# A program in whatever language its first line names: the event's folder and the context's are its arguments, the body
# is its standard input too.
use strict;
my ($event, $context) = @ARGV;
my %counts;
$counts{lc $_}++ for map { split /\W+/ } <STDIN>;
delete $counts{""};
open my $headers, ">", "$event/extensions/response/headers" or die;
print $headers "X-Words: ", scalar(keys %counts), "\n";
close $headers;
printf "%s %d\n", $_, $counts{$_} for sort { $counts{$b} <=> $counts{$a} || $a cmp $b } keys %counts;
