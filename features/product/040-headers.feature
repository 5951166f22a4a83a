@own-endpoint @emulator-only
Feature: Headers as HTTP has them
  Names of headers have no case, and headers that nobody knows say nothing.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @req-HEADERS-01 @req-RECEIVE-01
  Scenario: Header names in mixed case
    Proves: the product takes messages whatever the case of MESH's header names.

    If it fails: look headers up as the HTTP library does, which has no case, and not in a list of names.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And every answer to the product has header names in mixed case
    When the product is asked for a poll cycle
    Then the product has taken everything that waited

  @optional-compression @req-HEADERS-01 @req-RECEIVE-03
  Scenario: Header names in mixed case, and a compressed message
    Proves: the product knows a compressed message by Content-Encoding, whatever the case of its name.

    If it fails: look headers up as the HTTP library does, which has no case, and not in a list of names.

    Given the counterpart has sent a compressed message of 65536 bytes to the product
    And every answer to the product has header names in mixed case
    When the product is asked for a poll cycle with gzip
    Then the product has taken everything that waited

  @optional-chunking @req-HEADERS-01 @req-LARGE-01
  Scenario: Header names in mixed case, and a message in chunks
    Proves: the product knows by Mex-Chunk-Range that more is to come, whatever the case of its name.

    If it fails: look headers up as the HTTP library does, which has no case. The status says it too: 206
    has more chunks.

    Given the counterpart has sent a large message in chunks to the product
    And every answer to the product has header names in mixed case
    When the product is asked for a poll cycle
    Then the product has the message whole, chunk by chunk

  @req-HEADERS-02 @req-RECEIVE-01
  Scenario: Headers that nobody knows
    Proves: the product passes over headers that no document has, also where they begin like one that it
    knows.

    If it fails: compare the whole name of a header.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And every answer to the product has headers that nobody knows
    When the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-HEADERS-01 @req-SEND-02
  Scenario: Header names in mixed case in the answer to a send
    Proves: the product takes the message for sent.

    If it fails: look headers up as the HTTP library does, which has no case.

    Given every answer to the product has header names in mixed case
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the message is sent
    And the counterpart has the message once
