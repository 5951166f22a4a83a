@endpoint
Feature: Send chunked message

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-CHUNK-01
  Scenario Outline: Chunks are accepted one after the other, asked for in <version>
    Given answers are asked for in <version>
    When the sender sends the first of 3 chunks
    Then the answer is 202 in the shape of "<shape>"
    When the sender sends chunk 2
    Then the answer is 202 in the shape of "<shape>"
    And its <field> is "{message}"
    When the sender sends chunk 3
    Then the answer is 202 in the shape of "<shape>"
    And its <field> is "{message}"

    Examples:
      | version | shape   | field       |
      | v1      | send v1 | /messageID  |
      | v2      | send v2 | /message_id |

  @req-CHUNK-02
  Scenario: A message is delivered when its last chunk has come
    Given the sender has sent the first of 2 chunks
    When the receiver checks its inbox
    Then the inbox does not list the message
    When the sender sends chunk 2
    Then the answer is 202
    When the receiver checks its inbox
    Then the inbox lists the message

  @req-CHUNK-02 @emulator-only
  Scenario: A message whose chunks have not all come cannot be downloaded
    Given the sender has sent the first of 2 chunks
    When the receiver downloads the message
    Then the answer is 404

  @req-CHUNK-03
  Scenario Outline: A chunk may have no <header>
    Given the sender has sent the first of 2 chunks
    And the next call has no header <header>
    When the sender sends chunk 2
    Then the answer is 202

    Examples:
      | header         |
      | mex-workflowid |
      | mex-to         |

  @req-CHUNK-03 @emulator-only
  Scenario: A chunk may leave out Mex-Chunk-Range
    The path has the number; mesh-sandbox wants both.

    Given the sender has sent the first of 2 chunks
    And the next call has no header mex-chunk-range
    When the sender sends chunk 2
    Then the answer is 202

  @req-CHUNK-04 @emulator-only
  Scenario Outline: Chunks come in their order: <what>
    mesh-sandbox takes them in any order.

    Given the sender has sent the first of 3 chunks
    When the sender sends chunk <number>
    Then the answer is 417 with error code "InvalidHeaderChunks" and the message

    Examples:
      | what             | number |
      | not the third    | 3      |
      | not beyond       | 4      |
      | not twice        | 1      |

  @req-CHUNK-04 @emulator-only
  Scenario Outline: A chunk says which it is: <range>
    Given the sender has sent the first of 3 chunks
    And the next call has the header mex-chunk-range set to "<range>"
    When the sender sends chunk 2
    Then the answer is 417 with error code "InvalidHeaderChunks"

    Examples:
      | range |
      | 3:3   |
      | 2:9   |
      | 1:3   |

  @req-CHUNK-05 @emulator-only
  Scenario Outline: A chunk range that is none is refused: <range>
    Given the next call has the header mex-chunk-range set to "<range>"
    When the sender sends a message
    Then the answer is 400 for the header parameter "mex-chunk-range"

    Examples:
      | range |
      | 1     |
      | 1;2   |
      | 2:1   |
      | 0:2   |
      | a:b   |

  @req-CHUNK-06
  Scenario: A chunk of a message that nobody sent is refused
    Given the sender has sent the first of 2 chunks
    And the message is "20200101000000000000_000000"
    When the sender sends chunk 2
    Then the answer is 404

  @req-CHUNK-10 @emulator-only
  Scenario: A chunk of somebody else's message is refused
    The OpenAPI lists 403 as well as 404; mesh-sandbox answers 403, which tells that there is such a message.

    Given the sender has sent the first of 2 chunks
    When the receiver sends chunk 2
    Then the answer is 404

  @req-CHUNK-07
  Scenario: After the last chunk there is none
    Given the sender has sent a message in 2 chunks
    When the sender sends chunk 2
    Then the answer is 423

  @req-CHUNK-07
  Scenario: A message that was sent whole has no more chunks
    Given the sender has sent a message
    When the sender sends chunk 2
    Then the answer is 423

  @req-CHUNK-08 @emulator-only
  Scenario: Every chunk is encoded as the first
    Given the sender has sent the first of 2 chunks compressed with gzip
    And the next call has the header content-encoding set to "identity"
    When the sender sends chunk 2
    Then the answer is 417

  @req-CHUNK-08
  Scenario: Chunks are compressed one by one
    Given the sender has sent a message in 3 chunks compressed with gzip
    When the receiver downloads the message
    Then the answer is 206
    And the content is chunk 1 of what was sent
    When the receiver downloads chunk 2 of the message
    Then the answer is 206
    And the content is chunk 2 of what was sent
    When the receiver downloads chunk 3 of the message
    Then the answer is 200
    And the content is chunk 3 of what was sent

  @req-CHUNK-11 @emulator-only
  Scenario: A later chunk may leave Content-Encoding off
    As the OpenAPI's own example does; mesh-sandbox refuses it with 417.

    Given the sender has sent the first of 2 chunks compressed with gzip
    And the next call has a body of 600 bytes compressed with gzip
    And the next call has no header content-encoding
    When the sender sends chunk 2
    Then the answer is 202
    When the receiver downloads chunk 2 of the message
    Then the answer is 200
    And the content is chunk 2 of what was sent

  @req-SENDING-13 @emulator-only
  Scenario: A chunk that says that it is gzip is gzip
    A gzip that was split is gzip in no chunk but, by its beginning, the first.

    Given the sender has sent the first of 2 chunks compressed with gzip
    And the next call has the header content-encoding set to "gzip"
    And the next call has the body "not compressed at all"
    When the sender sends chunk 2
    Then the answer is 400 for the header parameter "content-encoding"

  @req-CHUNK-09 @emulator-only
  Scenario: A mailbox may take no chunked messages
    Given the receiver's mailbox takes no chunked messages
    When the sender sends the first of 2 chunks
    Then the answer is 417 with error code "19"

  @req-CHUNK-09 @emulator-only
  Scenario: A workflow may take no chunked messages
    Given a workflow that takes no chunked messages
    And the next call has the header mex-workflowid set to "{own workflow}"
    When the sender sends the first of 2 chunks
    Then the answer is 417 with error code "19"
