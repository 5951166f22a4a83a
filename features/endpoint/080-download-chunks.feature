@endpoint
Feature: Get Message chunk

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-CHUNKS-01
  Scenario: A chunked message is downloaded chunk by chunk
    Given the sender has sent a message in 3 chunks
    When the receiver downloads the message
    Then the answer is 206
    And the answer has the header mex-chunk-range set to "1:3"
    When the receiver downloads chunk 2 of the message
    Then the answer is 206
    And the answer has the header mex-chunk-range set to "2:3"
    When the receiver downloads chunk 3 of the message
    Then the answer is 200
    And the answer has the header mex-chunk-range set to "3:3"

  @req-CHUNKS-01
  Scenario Outline: Chunk <number> is what was sent
    Given the sender has sent a message in 3 chunks
    When the receiver downloads chunk <number> of the message
    Then the answer is <status>
    And the content is chunk <number> of what was sent

    Examples:
      | number | status |
      | 1      | 206    |
      | 2      | 206    |
      | 3      | 200    |

  @req-CHUNKS-01
  Scenario: The first chunk is what a download gives
    Given the sender has sent a message in 2 chunks
    When the receiver downloads the message
    Then the answer is 206
    And the content is chunk 1 of what was sent

  @req-CHUNKS-02 @emulator-only
  Scenario: A chunk beyond the last is not found
    Given the sender has sent a message in 2 chunks
    When the receiver downloads chunk 4 of the message
    Then the answer is 404

  @req-DOWNLOAD-10 @emulator-only
  Scenario: Who asks for a chunk beyond the last is told why
    Given the sender has sent a message in 2 chunks
    When the receiver downloads chunk 4 of the message
    Then the answer is 404 with error code "20" and the message

  @req-CHUNKS-02 @emulator-only
  Scenario Outline: A chunk has a number from 1: not <number>
    Given the sender has sent a message in 2 chunks
    When the receiver downloads chunk <number> of the message
    Then the answer is 404

    Examples:
      | number |
      | 0      |
      | -1     |
      | one    |
      | 02     |

  @req-CHUNKS-03 @emulator-only
  Scenario: The chunks of an acknowledged message are gone
    Given the sender has sent a message in 2 chunks
    And the receiver has acknowledged the message
    When the receiver downloads chunk 2 of the message
    Then the answer is 410

  @req-CHUNKS-01
  Scenario: The last chunk of a message of one is its whole
    Given the sender has sent a message
    When the receiver downloads chunk 1 of the message
    Then the answer is 200
    And the content is what was sent

  @req-CHUNKS-04
  Scenario Outline: Chunk <number> of a compressed message can be decompressed alone
    Given the sender has sent a message in 3 chunks compressed with gzip
    And the next call has the header accept-encoding set to "gzip"
    When the receiver downloads chunk <number> of the message
    Then the answer is <status>
    And the content is chunk <number> of what was sent

    Examples:
      | number | status |
      | 1      | 206    |
      | 2      | 206    |
      | 3      | 200    |

  @req-CHUNKS-04
  Scenario Outline: Chunk <number> of a compressed message is handed out plainly to whom does not offer gzip
    Given the sender has sent a message in 3 chunks compressed with gzip
    And the next call has no header accept-encoding
    When the receiver downloads chunk <number> of the message
    Then the answer is <status>
    And the answer has no header content-encoding
    And the content is chunk <number> of what was sent

    Examples:
      | number | status |
      | 1      | 206    |
      | 2      | 206    |
      | 3      | 200    |

  @req-CHUNKS-05
  Scenario Outline: Chunk <number> of a compressed message is handed out compressed to whom takes it so
    Given the sender has sent a message in 3 chunks compressed with gzip
    And the next call has the header accept-encoding set to "gzip"
    When the receiver downloads chunk <number> of the message
    Then the answer is <status>
    And the answer has the header content-encoding set to "gzip"

    Examples:
      | number | status |
      | 1      | 206    |
      | 2      | 206    |
      | 3      | 200    |
