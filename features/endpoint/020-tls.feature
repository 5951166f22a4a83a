@endpoint
Feature: The connection
  Mutual TLS, 1.2 or newer: a client without the right certificate gets no further (OpenAPI, "Get a TLS
  certificate").

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-TLS-01 @emulator-only @tls
  Scenario: Without a client certificate there is no connection
    Given the receiver connects without a client certificate
    When the receiver tries to check its inbox
    Then the answer is a refusal by TLS

  @req-TLS-01 @emulator-only @tls
  Scenario: With a certificate of a foreign authority there is no connection
    Given the receiver connects with a certificate of a foreign authority
    When the receiver tries to check its inbox
    Then the answer is a refusal by TLS

  @req-TLS-02 @emulator-only @tls
  Scenario: The certificate of another mailbox is refused
    Sources disagree on the first label of the common name, so this holds for our own emulator alone.

    Given the receiver connects with the other mailbox's certificate
    When the receiver checks its inbox
    Then the answer is 403

  @req-TLS-03 @tls
  Scenario Outline: TLS 1.<minor> is not spoken
    When the receiver offers nothing newer than TLS 1.<minor>
    Then the old version is not agreed to

    Examples:
      | minor |
      | 0     |
      | 1     |

  @req-TLS-03 @emulator-only @tls
  Scenario: TLS 1.2 is spoken
    Given the receiver connects with TLS 1.2 at most
    When the receiver tries to check its inbox
    Then the answer is 200
