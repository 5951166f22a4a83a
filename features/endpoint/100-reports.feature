@endpoint
Feature: REPORT messages
  What goes wrong after a send was accepted comes back to the sender as a message (OpenAPI, "Asynchronous
  error reporting").

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-REPORT-01 @emulator-only
  Scenario: A message that is not collected is reported
    Given the sender has sent a message
    And the message was not collected in time
    When the sender checks its inbox
    And the one message listed is taken for the report
    And the sender downloads the message
    Then the answer is 200 without a body
    And the answer has these headers
      | mex-messagetype      | REPORT     |
      | mex-linkedmsgid      | {first}    |
      | mex-messageid        | {message}  |
      | mex-statuscode       | 14         |
      | mex-statusevent      | SEND       |
      | mex-statussuccess    | ERROR      |
      | mex-workflowid       | {workflow} |

  @req-REPORT-01 @emulator-only
  Scenario: A report says when and why
    Given the sender has sent a message
    And the message was not collected in time
    When the sender checks its inbox
    And the one message listed is taken for the report
    And the sender downloads the message
    Then the answer has these headers
      | mex-statusdescription |
      | mex-statustimestamp   |

  @req-REPORT-02 @emulator-only
  Scenario Outline: A report has what the sender said: <header>
    Given the sender has sent a message with the header <header> set to "<value>"
    And the message was not collected in time
    When the sender checks its inbox
    And the one message listed is taken for the report
    And the sender downloads the message
    Then the answer has the header <header> set to "<value>"

    Examples:
      | header      | value   |
      | mex-localid | local 7 |
      | mex-subject | Words   |

  @req-REPORT-03 @emulator-only
  Scenario: A message that was not collected is gone
    Given the sender has sent a message
    And the message was not collected in time
    When the receiver downloads the message
    Then the answer is 410

  @req-REPORT-03 @emulator-only
  Scenario: A message that was not collected is listed no more
    Given the sender has sent a message
    And the message was not collected in time
    When the receiver checks its inbox
    Then the inbox does not list the message

  @req-REPORT-03 @emulator-only @own-endpoint
  Scenario Outline: A message waits for five days: after <days> days it <is> there
    Given the sender has sent a message
    When <days> days pass at the endpoint
    And the receiver downloads the message
    Then the answer is <status>

    Examples:
      | days | is       | status |
      | 4    | is       | 200    |
      | 5    | is not   | 410    |
      | 29   | is not   | 410    |
      | 31   | is not   | 404    |

  @req-REPORT-01 @emulator-only @own-endpoint
  Scenario: After five days there is a report
    Given the sender has sent a message
    When 5 days pass at the endpoint
    And the sender checks its inbox
    And the one message listed is taken for the report
    And the sender downloads the message
    Then the answer has these headers
      | mex-messagetype | REPORT  |
      | mex-linkedmsgid | {first} |
      | mex-statuscode  | 14      |

  @req-REPORT-04 @emulator-only
  Scenario: A message to nobody is reported as well
    Seen on integration; mesh-sandbox reports nothing.

    Given the next call has the header mex-to set to "NOBODY0001"
    When the sender sends a message
    Then the answer is 417 with error code "12" and a message ID
    When the sender checks its inbox
    And the one message listed is taken for the report
    And the sender downloads the message
    Then the answer has these headers
      | mex-messagetype   | REPORT |
      | mex-statuscode    | 12     |
      | mex-statussuccess | ERROR  |
      | mex-linkedmsgid   | {refused} |

  @req-REPORT-05 @emulator-only
  Scenario: A report is acknowledged like any message
    Given the sender has sent a message
    And the message was not collected in time
    When the sender checks its inbox
    And the one message listed is taken for the report
    And the sender acknowledges the message
    Then the answer is 200
    When the sender checks its inbox
    Then the page has 0 messages
    When the sender downloads the message
    Then the answer is 410
