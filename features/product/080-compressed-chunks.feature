@own-endpoint @emulator-only
Feature: Messages in chunks that are compressed
  The OpenAPI has a message split first, and each chunk compressed by itself. Nothing is made hard here;
  the content is such that a product which compresses first has to split as well.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @optional-chunking @optional-compression @req-LARGE-04 @req-LARGE-05
  Scenario: A message is split, and each chunk is compressed by itself
    Proves: the product splits first and compresses then, every chunk in the same way, and the whole
    arrives as it was to be sent. That a later chunk leaves Content-Encoding off is a warning: the
    OpenAPI's own example does so, and NHS mesh-sandbox refuses it.

    If it fails: do not compress a large file and split the result. Each chunk must be a gzip that can be
    decompressed alone, with Content-Encoding: gzip.

    When the product is asked to send a large compressed message in chunks to the counterpart
    Then each chunk was compressed with gzip by itself
    And the message is sent
    When the counterpart collects the message
    Then the counterpart downloaded every chunk of it, and the whole is what was sent

  @optional-chunking @optional-compression @req-LARGE-06
  Scenario: A message in compressed chunks is downloaded
    Proves: the product offers to take gzip, and makes the whole of chunks that are each a gzip of its own.

    If it fails: decompress each chunk, and join what comes out. Who joins first needs a decoder that goes
    on after the end of the first gzip; many stop there and say nothing.

    Given the counterpart has sent a large compressed message in chunks to the product
    When the product is asked for a poll cycle with gzip
    Then the chunks were downloaded compressed with gzip
    And the product has the message whole, chunk by chunk

  @optional-chunking @req-LARGE-01
  Scenario: A message in compressed chunks is downloaded without gzip
    Proves: the product, where it offers no gzip, takes chunks that MESH has decompressed for it as they come.
    One that always offers gzip has them compressed here as well.

    If it fails: go by Content-Encoding of each answer. Mex-Content-Compressed is not about the body of the
    answer, nor does the sender's way of sending say how a message comes.

    Given the counterpart has sent a large compressed message in chunks to the product
    When the product is asked for a poll cycle
    Then the product has the message whole, chunk by chunk
