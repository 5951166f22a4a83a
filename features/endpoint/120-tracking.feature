@endpoint
Feature: Track outbox

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-TRACK-01 @int-safe
  Scenario Outline: A message is tracked by its ID, asked for in <version>
    Given answers are asked for in <version>
    And the sender has sent a message
    When the sender tracks the message
    Then the answer is 200 in the shape of "<shape>"
    And its <id> is "{message}"
    And its /recipient is "{receiver}"
    And its <local ID> is "{local ID}"
    And its <workflow> is "{workflow}"

    Examples:
      | version | shape       | id          | local ID  | workflow     |
      | v1      | tracking v1 | /messageId  | /localId  | /workflowId  |
      | v2      | tracking v2 | /message_id | /local_id | /workflow_id |

  @req-TRACK-02
  Scenario Outline: Tracking says where a message is, asked for in <version>
    Given answers are asked for in <version>
    And the sender has sent a message
    When the sender tracks the message
    Then its /status is "<accepted>"
    Given the receiver has acknowledged the message
    When the sender tracks the message
    Then the answer is 200 in the shape of "<shape>"
    And its /status is "<acknowledged>"

    Examples:
      | version | shape       | accepted | acknowledged |
      | v1      | tracking v1 | Accepted | Acknowledged |
      | v2      | tracking v2 | accepted | acknowledged |

  @req-TRACK-02 @emulator-only
  Scenario Outline: Tracking says that a message was not collected, asked for in <version>
    Given answers are asked for in <version>
    And the sender has sent a message
    And the message was not collected in time
    When the sender tracks the message
    Then the answer is 200 in the shape of "<shape>"
    And its /status is "<status>"
    And its <code> is "14"

    Examples:
      | version | shape       | status        | code         |
      | v1      | tracking v1 | Undeliverable | /statusCode  |
      | v2      | tracking v2 | undeliverable | /status_code |

  @req-TRACK-02 @emulator-only
  Scenario Outline: Tracking says that chunks are still to come, asked for in <version>
    Given answers are asked for in <version>
    And the sender has sent the first of 2 chunks
    When the sender tracks the message
    Then its /status is "<status>"

    Examples:
      | version | status    |
      | v1      | Uploading |
      | v2      | uploading |

  @req-TRACK-01 @emulator-only
  Scenario: Tracking counts chunks in v1
    Given answers are asked for in v1
    And the sender has sent a message in 3 chunks
    When the sender tracks the message
    Then its /chunkCount is "3"

  @req-TRACK-01 @emulator-only
  Scenario: Tracking says that all went well in v2
    Given answers are asked for in v2
    And the sender has sent a message
    When the sender tracks the message
    Then its /status_success is "true"

  @req-TRACK-03 @emulator-only
  Scenario: What nobody sent cannot be tracked
    The OpenAPI lists 400 and 403; mesh-sandbox answers 404, and says that Spine does.

    Given the message is "20200101000000000000_000000"
    When the sender tracks the message
    Then the answer is 404

  @req-TRACK-03 @emulator-only
  Scenario: What somebody else sent cannot be tracked
    Given the sender has sent a message
    When the receiver tracks the message
    Then the answer is 404

  @req-TRACK-04
  Scenario: Tracking needs a message ID
    When the sender calls GET "/messageexchange/{sender}/outbox/tracking"
    Then the answer is 400 for the query parameter "messageID"

  @req-TRACK-05 @emulator-only
  Scenario Outline: A message is tracked by its local ID, asked for in <version>
    The OpenAPI gives this deprecated call the shape of v1 alone.

    Given answers are asked for in <version>
    And the sender has sent a message with the header mex-localid set to "one/of mine"
    When the sender tracks the local ID
    Then the answer is 200
    And its /messageId is "{message}"

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-TRACK-05
  Scenario: Tracking by local ID has the shape of v1
    Given answers are asked for in v1
    And the sender has sent a message
    When the sender tracks the local ID
    Then the answer is 200 in the shape of "tracking v1"

  @req-TRACK-05
  Scenario: A local ID that was used twice is not told
    Given the sender has sent a message
    And the sender has sent a message with the header mex-localid set to "{local ID}"
    When the sender tracks the local ID
    Then the answer is 300

  @req-TRACK-05 @emulator-only
  Scenario: A local ID that was never used is not found
    When the sender calls GET "/messageexchange/{sender}/outbox/tracking/never"
    Then the answer is 404
