// Kubernetes' own libraries for expressions: addresses, URLs, quantities, formats, regular expressions.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainFault, Expression } from "../expression.ts";
import { Meter } from "../../meter.ts";

function evaluate(source: string): unknown {
  assert.equal(explainFault(source, { type: "string" }, "bool"), undefined, source);
  return new Expression(source).evaluate("", undefined, new Meter(1_000_000));
}

const truths: Record<string, string[]> = {
  "ip addresses": [
    "isIP('192.168.0.1') && isIP('::1') && !isIP('1.2.3') && !isIP('01.2.3.4') && !isIP('example.com')",
    "!isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0') && !isIP('1.2.3.4/24')",
    "ip('10.0.0.1').family() == 4 && ip('2001:db8::1').family() == 6",
    "ip('127.9.9.9').isLoopback() && ip('::1').isLoopback() && !ip('128.0.0.1').isLoopback()",
    "ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified() && !ip('0.0.0.1').isUnspecified()",
    "ip('169.254.1.1').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast() && !ip('169.255.1.1').isLinkLocalUnicast()",
    "ip('224.0.0.9').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast() && !ip('224.0.1.1').isLinkLocalMulticast()",
    "ip('8.8.8.8').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast() && !ip('ff02::1').isGlobalUnicast()",
    "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1') && !ip.isCanonical('2001:db8:0:0:0:0:0:1')",
    "string(ip('2001:0:0:1:0:0:0:1')) == '2001:0:0:1::1' && string(ip('1:2:3:4:5:6:7:0')) == '1:2:3:4:5:6:7:0'",
    "ip('::1') == ip('0:0:0:0:0:0:0:1') && ip('1.2.3.4') != ip('1.2.3.5') && type(ip('::1')) == net.IP",
  ],
  "cidr blocks": [
    "isCIDR('10.0.0.0/8') && isCIDR('::/0') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/08')",
    "cidr('10.0.0.0/8').containsIP('10.255.0.1') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
    "!cidr('::/0').containsIP('10.0.0.1') && cidr('0.0.0.0/0').containsIP('10.0.0.1')",
    "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
    "cidr('10.1.2.3/8').prefixLength() == 8 && string(cidr('10.1.2.3/8')) == '10.1.2.3/8'",
  ],
  urls: [
    "isURL('https://example.com/a?b=c') && isURL('/path') && !isURL('example.com') && !isURL('../x') && !isURL('')",
    "!isURL('https://a:b:c/') && !isURL('/%zz') && !isURL('https://exa mple/')",
    "url('https://[::1]:8443/a b?x=1&x=2').getHostname() == '::1' && url('https://a:80/').getPort() == '80'",
    "url('https://a/b c').getEscapedPath() == '/b%20c' && url('https://a/?x=1&x=2').getQuery() == {'x': ['1', '2']}",
    "url('HTTP://a').getScheme() == 'http' && url('https://u:p@a:1/').getHost() == 'a:1' && url('/x').getHost() == ''",
  ],
  quantities: [
    "isQuantity('1.5Gi') && isQuantity('-2k') && isQuantity('1e3') && !isQuantity('1.5GiB') && !isQuantity('k') && !isQuantity('')",
    "quantity('1Ki') == quantity('1024') && quantity('1.5').isGreaterThan(quantity('1499m')) && quantity('200M') == quantity('0.2G')",
    "quantity('1k').isInteger() && !quantity('1500m').isInteger() && quantity('1k').asInteger() == 1000",
    "quantity('1').add(quantity('500m')) == quantity('1500m') && sign(quantity('1').sub(2)) == -1",
    "quantity('1').compareTo(quantity('2')) == -1 && quantity('1500m').asApproximateFloat() == 1.5",
  ],
  formats: [
    "!format.dns1123Label().validate('my-name').hasValue() && format.dns1123Label().validate('My').hasValue()",
    "format.dns1123Label().validate('x'.replace('x', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')).value() == ['must be no more than 63 bytes']",
    "format.dns1035Label().validate('1a').hasValue() && !format.dns1123Subdomain().validate('a.b').hasValue()",
    "!format.qualifiedName().validate('a.b/C_d').hasValue() && format.qualifiedName().validate('a/b/c').hasValue()",
    "!format.dns1123LabelPrefix().validate('a-').hasValue() && format.labelValue().validate('-').hasValue()",
    "format.named('uuid').value().validate('x') == optional.of(['does not match the UUID format'])",
    "!format.named('nonsense').hasValue() && !format.date().validate('2026-01-02').hasValue()",
  ],
  "regular expressions": [
    "'abc-123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]') == '' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
    "'a1b22'.findAll('[0-9]+', 1) == ['1'] && 'abc'.matches('b') && matches('abc', '^a.c$') && !'abc'.matches('^b')",
  ],
};

describe("libraries", () => {
  for (const [name, sources] of Object.entries(truths)) {
    test(name, () => {
      for (const source of sources) assert.equal(evaluate(source), true, source);
    });
  }

  test("what cannot be read is an error", () => {
    for (const source of [
      "ip('x') == ip('::1')",
      "cidr('x') == cidr('::/0')",
      "url('x') == url('/')",
      "quantity('x') == quantity('1')",
      "quantity('1.5').asInteger() == 1",
    ]) {
      assert.throws(() => evaluate(source), { name: "CelError" }, source);
    }
  });
});
