@endpoint
Feature: Get Message and Head Message

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-DOWNLOAD-01 @int-safe
  Scenario: A download has the headers of its message
    Given the sender has sent a message
    When the receiver downloads the message
    Then the answer is 200
    And the answer has these headers
      | mex-from            | {sender}   |
      | mex-to              | {receiver} |
      | mex-workflowid      | {workflow} |
      | mex-messageid       | {message}  |
      | mex-messagetype     | DATA       |
      | mex-localid         | {local ID} |
      | mex-filename        | endpoint.txt |
      | mex-statuscode      | 00         |
      | mex-statusevent     | TRANSFER   |
      | mex-statussuccess   | SUCCESS    |

  @req-DOWNLOAD-01
  Scenario Outline: What the sender says is handed on: <header>
    Given the sender has sent a message with the header <header> set to "<value>"
    When the receiver downloads the message
    Then the answer has the header <header> set to "<value>"

    Examples:
      | header               | value                            |
      | mex-subject          | A subject, of several words      |
      | mex-localid          | local 1                          |
      | mex-filename         | a file.pdf                       |
      | mex-content-checksum | b03c5f3400a8d3a3                 |

  @req-DOWNLOAD-02 @emulator-only
  Scenario: A message without a file name gets one
    Given the next call has no header mex-filename
    When the sender sends a message
    Then the answer is 202
    When the receiver downloads the message
    Then the answer has the header mex-filename set to "{message}.dat"

  @req-DOWNLOAD-01 @int-safe
  Scenario: A download says when the message came
    Given the sender has sent a message
    When the receiver downloads the message
    Then the answer has these headers
      | mex-statustimestamp   |
      | mex-statusdescription |

  @req-DOWNLOAD-03
  Scenario: In v2 the content type is the sender's
    Given answers are asked for in v2
    And the sender has sent a message with the header content-type set to "application/fhir+xml"
    When the receiver downloads the message
    Then the answer has the header content-type set to "application/fhir+xml"

  @req-DOWNLOAD-03 @emulator-only
  Scenario: In v1 the content is of no type
    Given answers are asked for in v1
    And the sender has sent a message with the header content-type set to "application/fhir+xml"
    When the receiver downloads the message
    Then the answer has the header content-type set to "application/octet-stream"

  @req-DOWNLOAD-04
  Scenario: A compressed message is handed out compressed to whom takes it so
    Given the sender has sent a message of 5000 bytes compressed with gzip
    And the next call has the header accept-encoding set to "gzip"
    When the receiver downloads the message
    Then the answer is 200
    And the answer has the header content-encoding set to "gzip"
    And the content is what was sent

  @req-DOWNLOAD-04
  Scenario Outline: A compressed message is handed out plainly to others: <what>
    Given the sender has sent a message of 5000 bytes compressed with gzip
    And <what>
    When the receiver downloads the message
    Then the answer is 200
    And the answer has no header content-encoding
    And the content is what was sent

    Examples:
      | what                                                          |
      | the next call has no header accept-encoding                   |
      | the next call has the header accept-encoding set to "gzip;q=0" |
      | the next call has the header accept-encoding set to "br"      |

  @req-DOWNLOAD-04 @emulator-only
  Scenario Outline: A download says whether it is compressed: <flag> for <a message>
    Given the sender has sent <a message>
    And <what>
    When the receiver downloads the message
    Then the answer has the header mex-content-compressed set to "<flag>"

    Examples:
      | a message                                    | what                                                       | flag |
      | a message of 5000 bytes                      | the next call has the header accept-encoding set to "gzip" | N    |
      | a message of 5000 bytes compressed with gzip | the next call has no header accept-encoding                | N    |
      | a message of 5000 bytes compressed with gzip | the next call has the header accept-encoding set to "gzip" | Y    |

  @req-DOWNLOAD-05
  Scenario Outline: A message that nobody sent is not found, asked for in <version>
    Given answers are asked for in <version>
    And the message is "20200101000000000000_000000"
    When the receiver downloads the message
    Then the answer is 404

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-DOWNLOAD-10
  Scenario Outline: Who asks for a message that nobody sent is told why, asked for in <version>
    The OpenAPI gives 404 no body; integration was seen to answer with an error, and mesh-sandbox does.

    Given answers are asked for in <version>
    And the message is "20200101000000000000_000000"
    When the receiver downloads the message
    Then the answer is 404 with error code "20"

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-DOWNLOAD-10 @emulator-only
  Scenario Outline: Who asks for a message that nobody sent is told its ID, asked for in <version>
    Given answers are asked for in <version>
    And the message is "20200101000000000000_000000"
    When the receiver downloads the message
    Then the answer is 404 with error code "20" and the message

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-DOWNLOAD-05
  Scenario: The head of a message that nobody sent is not found
    Given the message is "20200101000000000000_000000"
    When the receiver looks at the head of the message
    Then the answer is 404 without a body

  @req-DOWNLOAD-06 @emulator-only
  Scenario Outline: A message is for its recipient alone: the sender <calls>
    mesh-sandbox answers some of these with 403, which tells that there is such a message.

    Given the sender has sent a message
    When the sender <calls>
    Then the answer is 404

    Examples:
      | calls                            |
      | downloads the message            |
      | looks at the head of the message |
      | downloads chunk 1 of the message |

  @req-DOWNLOAD-07 @int-safe
  Scenario: A message may be downloaded again until it is acknowledged
    Given the sender has sent a message
    When the receiver downloads the message
    Then the answer is 200
    When the receiver downloads the message
    Then the answer is 200
    And the content is what was sent

  @req-DOWNLOAD-08 @emulator-only
  Scenario Outline: An acknowledged message is gone, asked for in <version>
    Sources disagree: pack case 705 and older specifications say 410, mesh-sandbox serves it for ever.

    Given answers are asked for in <version>
    And the sender has sent a message
    And the receiver has acknowledged the message
    When the receiver downloads the message
    Then the answer is 410

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-DOWNLOAD-10 @emulator-only
  Scenario Outline: Who asks for an acknowledged message is told why, asked for in <version>
    Given answers are asked for in <version>
    And the sender has sent a message
    And the receiver has acknowledged the message
    When the receiver downloads the message
    Then the answer is 410 with error code "20" and the message

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-DOWNLOAD-08 @emulator-only
  Scenario: The head of an acknowledged message is gone as well
    Given the sender has sent a message
    And the receiver has acknowledged the message
    When the receiver looks at the head of the message
    Then the answer is 410

  @req-DOWNLOAD-09 @int-safe
  Scenario: The head of a message has its headers and no body
    Given the sender has sent a message
    When the receiver looks at the head of the message
    Then the answer is 200 without a body
    And the answer has these headers
      | mex-messageid   | {message}  |
      | mex-messagetype | DATA       |
      | mex-from        | {sender}   |
      | mex-workflowid  | {workflow} |

  @req-DOWNLOAD-09
  Scenario: Looking at the head takes nothing out
    Given the sender has sent a message
    When the receiver looks at the head of the message
    And the receiver downloads the message
    Then the answer is 200
    And the content is what was sent
