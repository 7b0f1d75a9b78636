#!@PYTHON@ -I
# Written by: hermes deploy apply. Becomes the service's user of the deployment @NAME@.
import sys

from hermes_agent.deploy.host.entering import main

main("@NAME@", sys.argv[1:])
