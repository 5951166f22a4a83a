@endpoint
Feature: Send message

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-SENDING-01 @int-safe
  Scenario Outline: A message is accepted, asked for in <version>
    Given answers are asked for in <version>
    When the sender sends a message
    Then the answer is 202 in the shape of "<shape>"

    Examples:
      | version    | shape   |
      | v1         | send v1 |
      | v2         | send v2 |
      | no version | send v1 |

  @req-SENDING-02 @int-safe
  Scenario Outline: What is sent arrives unaltered: <size> bytes
    Given the sender has sent a message of <size> bytes
    When the receiver downloads the message
    Then the answer is 200
    And the content is what was sent

    Examples:
      | size  |
      | 1     |
      | 1000  |
      | 70000 |

  @req-SENDING-02 @large
  Scenario: 20 MB arrive unaltered
    Given the sender has sent a message of 20000000 bytes
    When the receiver downloads the message
    Then the answer is 200
    And the content is what was sent

  @req-SENDING-02
  Scenario: A message to oneself arrives
    Given the next call has the header mex-to set to "{sender}"
    When the sender sends a message
    Then the answer is 202
    When the sender downloads the message
    Then the answer is 200
    And the content is what was sent

  @req-SENDING-03
  Scenario Outline: A message to nobody is refused, asked for in <version>
    Given answers are asked for in <version>
    And the next call has the header mex-to set to "NOBODY0001"
    When the sender sends a message
    Then the answer is 417 with error code "12"

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-SENDING-03 @emulator-only
  Scenario Outline: A message to nobody has an ID all the same, asked for in <version>
    Integration was seen to give one; mesh-sandbox gives none.

    Given answers are asked for in <version>
    And the next call has the header mex-to set to "NOBODY0001"
    When the sender sends a message
    Then the answer is 417 with error code "12" and a message ID

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-SENDING-04 @emulator-only
  Scenario Outline: A recipient is needed: <what>
    The OpenAPI has code 08 for it, and a validation error for every 400.

    Given <what>
    When the sender sends a message
    Then the answer is 400 with error code "08" and no message ID

    Examples:
      | what                                            |
      | the next call has no header mex-to              |
      | the next call has the header mex-to set to ""   |

  @req-SENDING-05
  Scenario Outline: A workflow ID is needed: <what>
    Given <what>
    When the sender sends a message
    Then the answer is 400 for the header parameter "mex-workflowid"

    Examples:
      | what                                       |
      | the next call has no header mex-workflowid |

  @req-SENDING-05 @emulator-only
  Scenario Outline: A workflow ID is needed: <what>
    The OpenAPI requires the header, and gives it no least length; mesh-sandbox takes it empty.

    Given <what>
    When the sender sends a message
    Then the answer is 400 for the header parameter "mex-workflowid"

    Examples:
      | what                                                  |
      | the next call has the header mex-workflowid set to "" |

  @req-SENDING-06
  Scenario Outline: <header> may have no more than <limit> characters
    Given the next call has the header <header> set to "{<more> characters}"
    When the sender sends a message
    Then the answer is 400 for the header parameter "<header>"

    Examples:
      | header               | limit | more |
      | mex-to               | 100   | 101  |
      | mex-workflowid       | 300   | 301  |
      | mex-subject          | 500   | 501  |
      | mex-localid          | 300   | 301  |
      | mex-filename         | 300   | 301  |
      | mex-content-checksum | 100   | 101  |
      | mex-chunk-range      | 20    | 21   |

  @req-SENDING-06
  Scenario Outline: <header> may have <limit> characters
    Given the next call has the header <header> set to "{<limit> characters}"
    When the sender sends a message
    Then the answer is 202

    Examples:
      | header               | limit |
      | mex-workflowid       | 300   |
      | mex-subject          | 500   |
      | mex-localid          | 300   |
      | mex-filename         | 300   |
      | mex-content-checksum | 100   |

  @req-SENDING-07 @emulator-only
  Scenario Outline: Old headers are right where they are there: <header>
    The OpenAPI has dropped them, the assurance pack sends them, mesh-sandbox passes over them.

    Given the next call has the header <header> set to "<wrong>"
    When the sender sends a message
    Then the answer is 400 with error code "<code>" and no message ID

    Examples:
      | header          | wrong      | code |
      | mex-from        | {receiver} | 07   |
      | mex-messagetype | REPORT     | 11   |
      | mex-version     | 2.0        | 09   |

  @req-SENDING-07
  Scenario Outline: Old headers may be left out or right: <what>
    Given <what>
    When the sender sends a message
    Then the answer is 202

    Examples:
      | what                                                     |
      | the next call has no header mex-from                     |
      | the next call has the header mex-messagetype set to "DATA" |
      | the next call has the header mex-version set to "1.0"    |

  @req-SENDING-08 @emulator-only
  Scenario Outline: A header with <what> is malformed
    Given the next call has the header mex-subject set to "<value>"
    When the sender sends a message
    Then the answer is 400 with error code "06" and no message ID

    Examples:
      | what                 | value       |
      | a tab                | one{tab}two |
      | an accent            | café        |

  @req-SENDING-09 @emulator-only
  Scenario: A message without a body is refused
    Given the next call has the body ""
    When the sender sends a message
    Then the answer is 417 with error code "02"

  @req-SENDING-13 @emulator-only
  Scenario: A content encoding other than gzip is refused
    The OpenAPI has gzip as an example, and no status for any other; mesh-sandbox answers 422.

    Given the next call has the header content-encoding set to "br"
    When the sender sends a message
    Then the answer is 400 for the header parameter "content-encoding"

  @req-SENDING-13 @emulator-only
  Scenario: What says that it is gzip is gzip
    Given the next call has the header content-encoding set to "gzip"
    And the next call has the body "not compressed at all"
    When the sender sends a message
    Then the answer is 400 for the header parameter "content-encoding"

  @req-SENDING-10 @int-safe
  Scenario: A message compressed with gzip is accepted
    Given the next call has a body of 5000 bytes compressed with gzip
    When the sender sends a message
    Then the answer is 202 in the shape of "send v2"

  @req-SENDING-11 @emulator-only
  Scenario: A restricted workflow may be sent by those that are registered
    Given a workflow that only the sender may send and only the receiver may receive
    And the next call has the header mex-workflowid set to "{own workflow}"
    When the sender sends a message
    Then the answer is 202
    When the receiver downloads the message
    Then the answer has the header mex-workflowid set to "{own workflow}"

  @req-SENDING-11 @emulator-only
  Scenario: A restricted workflow may not be sent by anybody
    Given a workflow that only the receiver may send and only the receiver may receive
    And the next call has the header mex-workflowid set to "{own workflow}"
    When the sender sends a message
    Then the answer is 417 with error code "16"

  @req-SENDING-11 @emulator-only
  Scenario: A restricted workflow may not be sent to anybody
    Given a workflow that only the sender may send and only the sender may receive
    And the next call has the header mex-workflowid set to "{own workflow}"
    When the sender sends a message
    Then the answer is 417 with error code "17"

  @req-SENDING-12 @emulator-only @large
  Scenario: A send of more than 100 MB is refused
    The OpenAPI gives the limit, and no status.

    Given the next call has a body of 100000001 bytes
    When the sender sends a message
    Then the answer is 413

  @req-SENDING-01 @int-safe
  Scenario: Each message has an ID of its own
    Given the sender has sent 2 messages
    When the receiver checks its inbox
    Then the inbox lists what was sent, oldest first
