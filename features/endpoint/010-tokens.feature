@endpoint
Feature: The token of a call
  Every call on a mailbox carries a token in its Authorization header. The endpoint lets in what is
  right, and answers everything else with 403 (OpenAPI, "MESH Authorization header").

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-TOKEN-01
  Scenario Outline: No operation on a mailbox without a token: the receiver <calls>
    Given the sender has sent a message
    And the next token is left out
    When the receiver <calls>
    Then the answer is 403

    Examples:
      | calls                                |
      | validates its mailbox                |
      | checks its inbox                     |
      | counts its messages                  |
      | downloads the message                |
      | looks at the head of the message     |
      | downloads chunk 1 of the message     |
      | acknowledges the message             |
      | sends a message                      |
      | sends chunk 2                        |
      | tracks the message                   |
      | calls GET "/messageexchange/{mailbox}/outbox/tracking/a" |

  @req-TOKEN-02
  Scenario Outline: A malformed token is refused: <it is>
    Given the next token is <it is>
    When the receiver checks its inbox
    Then the answer is 403

    Examples:
      | it is                                  |
      | without a scheme                       |
      | with the scheme Bearer                 |
      | with two spaces after the scheme       |
      | without a nonce count                  |
      | with a sixth field                     |
      | with the mailbox ID in lower case      |
      | with a nonce that is no GUID           |
      | without a nonce                        |
      | with a nonce count that is no number   |
      | with a nonce count below zero          |
      | with a timestamp to the second         |
      | with a timestamp with dashes           |
      | with a timestamp in a thirteenth month |
      | with a hash one digit short            |

  @req-TOKEN-10 @emulator-only
  Scenario Outline: A malformed token is refused: <it is>
    The OpenAPI names neither: HTTP leaves to the recipient what it makes of a header that is there twice
    (RFC 9110, 5.3), and takes a scheme in either case (11.1). mesh-sandbox lets both in.

    Given the next token is <it is>
    When the receiver checks its inbox
    Then the answer is 403

    Examples:
      | it is                         |
      | sent in two headers           |
      | with the scheme in lower case |

  @req-TOKEN-03
  Scenario Outline: A token whose hash is another is refused: <what>
    Titles stand in recordings, which are searched for secrets; the word for this one is often the secret.

    Given the next token is <it is>
    When the receiver checks its inbox
    Then the answer is 403

    Examples:
      | what                              | it is                             |
      | made with a wrong secret          | made with another password        |
      | made with another shared key      | made with another shared key      |
      | made without the mailbox's secret | made without the password         |
      | hashed in the order of the header | hashed in the order of the header |
      | with a hash over another minute   | with a hash over another minute   |

  @req-TOKEN-03 @emulator-only
  Scenario: A hash in upper case is refused
    Sources disagree: NHS England's validator compares exactly, mesh-sandbox takes either case.

    Given the next token is with the hash in upper case
    When the receiver checks its inbox
    Then the answer is 403

  @req-TOKEN-04
  Scenario Outline: A token more than two hours away is refused: <it is>
    Given the next token is <it is>
    When the receiver checks its inbox
    Then the answer is 403

    Examples:
      | it is              |
      | 125 minutes old    |
      | 1500 minutes old   |
      | 125 minutes ahead  |
      | 1500 minutes ahead |

  @req-TOKEN-04
  Scenario Outline: A token less than two hours away is let in: <it is>
    Given the next token is <it is>
    When the receiver counts its messages
    Then the answer is 200

    Examples:
      | it is             |
      | 115 minutes old   |
      | 115 minutes ahead |

  @req-TOKEN-05
  Scenario: A token is good once
    Given the sender has sent a message
    When the receiver counts its messages
    Then the answer is 200
    Given the next token is one that was used before
    When the receiver counts its messages
    Then the answer is 403

  @req-TOKEN-05
  Scenario: A token is good once, whatever the operation
    When the sender sends a message
    Then the answer is 202
    Given the next token is one that was used before
    When the sender tracks the message
    Then the answer is 403

  @req-TOKEN-06 @int-safe
  Scenario: A nonce may be used again with the next count
    When the receiver counts its messages
    Then the answer is 200
    Given the next token is of the same nonce with the next count
    When the receiver counts its messages
    Then the answer is 200

  @req-TOKEN-07
  Scenario Outline: A token of one mailbox opens no other: the sender <calls>
    Given the next token is for another mailbox
    When the sender <calls>
    Then the answer is 403

    Examples:
      | calls               |
      | checks its inbox    |
      | counts its messages |
      | sends a message     |

  @req-TOKEN-07
  Scenario: A mailbox that nobody has is refused as any other
    When the receiver calls GET "/messageexchange/NOBODY0001/inbox"
    Then the answer is 403

  @req-TOKEN-08 @emulator-only
  Scenario: A refusal says nothing
    The OpenAPI gives 403 no body.

    Given the next token is left out
    When the receiver checks its inbox
    Then the answer is 403 without a body

  @req-TOKEN-09 @emulator-only
  Scenario Outline: A disabled mailbox is refused: the receiver <calls>
    Given the receiver's mailbox is disabled
    When the receiver <calls>
    Then the answer is 403

    Examples:
      | calls                 |
      | validates its mailbox |
      | checks its inbox      |
      | sends a message       |
