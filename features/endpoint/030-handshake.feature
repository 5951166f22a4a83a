@endpoint
Feature: Validate a mailbox (Handshake)

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-HANDSHAKE-01 @int-safe
  Scenario: A mailbox is valid
    When the receiver validates its mailbox
    Then the answer is 200

  @req-HANDSHAKE-01
  Scenario Outline: A handshake is answered alike in <version>
    Given answers are asked for in <version>
    When the receiver validates its mailbox
    Then the answer is 200

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-HANDSHAKE-01 @emulator-only
  Scenario Outline: A handshake has no body in <version>
    Sources disagree on v1: until 2022 the OpenAPI gave it a body, mesh-sandbox still does.

    Given answers are asked for in <version>
    When the receiver validates its mailbox
    Then the answer is 200 without a body

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-HANDSHAKE-02
  Scenario Outline: A client says what it is: <header>
    Given the next call has no header <header>
    When the receiver validates its mailbox
    Then the answer is 400 for the header parameter "<header>"

    Examples:
      | header            |
      | mex-clientversion |
      | mex-osname        |
      | mex-osversion     |

  @req-HANDSHAKE-03 @emulator-only
  Scenario: A handshake by GET
    The OpenAPI has only POST, and GET in its example; mesh-sandbox takes both.

    When the receiver validates its mailbox by GET
    Then the answer is 200

  @req-HANDSHAKE-01
  Scenario: A handshake acknowledges nothing
    Given the sender has sent a message
    When the receiver validates its mailbox
    And the receiver checks its inbox
    Then the inbox lists the message
